// Two accounts without keys: the store (uploads, models, promotions), and one for the Functions host, which wants to own its own.

@description('Name of the store\'s account.')
param storeName string

@description('Name of the host\'s account.')
param hostName string

@description('Name of the store\'s container.')
param container string

@description('How often the store is kept.')
param sku string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Days after which kept answers are deleted.')
param keepRecordsDays int

@description('Object id of the identity that answers.')
param servicePrincipalId string

@description('Object id of the identity that retrains.')
param retrainPrincipalId string

@description('Object id of the identity that looks for drift.')
param driftPrincipalId string

var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var blobReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var users = [
  {
    principalId: servicePrincipalId
    role: blobContributor
  }
  {
    principalId: retrainPrincipalId
    role: blobContributor
  }
  {
    principalId: driftPrincipalId
    role: blobReader
  }
]

resource store 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: storeName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: store
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: 30
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 30
    }
  }
}

resource objects 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: store
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-records'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${container}/predictions/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: keepRecordsDays
                }
              }
            }
          }
        }
        {
          name: 'old-versions'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
            }
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: 30
                }
              }
            }
          }
        }
      ]
    }
  }
  dependsOn: [
    blobs
  ]
}

resource use 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for user in users: {
  scope: objects
  name: guid(objects.id, user.principalId, user.role)
  properties: {
    principalId: user.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', user.role)
  }
}]

resource host 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: hostName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS' // leases and, on Premium, function keys
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource own 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: host
  name: guid(host.id, servicePrincipalId, blobOwner)
  properties: {
    principalId: servicePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobOwner)
  }
}

@description('Address of the store\'s blobs, with a slash at its end.')
output storeEndpoint string = store.properties.primaryEndpoints.blob
