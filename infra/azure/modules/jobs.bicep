// The retraining, which the service starts for each POST /retrain, and the daily look for drift.

@description('Name of the retraining job.')
param retrainName string

@description('Name of the job that looks for drift.')
param driftName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the environment.')
param environmentName string

@description('Host name of the registry.')
param registryServer string

@description('Image that serves.')
param serveImage string

@description('Image that retrains.')
param trainImage string

@description('Name of the store\'s account.')
param storeAccount string

@description('The store, as PNEUMONIA_STORE.')
param storeUrl string

@description('Hours after which a retraining is ended.')
param retrainHours int

@description('Passes over the pictures of a retraining.')
param retrainEpochs int

@description('Object id of the identity that may start the retraining.')
param starterId string

@description('Resource id of the identity that retrains.')
param retrainIdentityId string

@description('Its client id.')
param retrainClientId string

@description('Resource id of the identity that looks for drift.')
param driftIdentityId string

@description('Its client id.')
param driftClientId string

var group = resourceGroup().id

resource managedEnvironment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: environmentName
}

resource retrain 'Microsoft.App/jobs@2025-07-01' = {
  name: retrainName
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${retrainIdentityId}': {}
    }
  }
  properties: {
    environmentId: managedEnvironment.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: retrainHours * 3600
      replicaRetryLimit: 1
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
      registries: [
        {
          server: registryServer
          identity: retrainIdentityId
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'retrain'
          image: trainImage
          command: [
            'pneumonia' // the launcher sends the arguments
          ]
          args: [
            'retrain' // by hand: asks for a job and carries it out
          ]
          env: [
            {
              name: 'PNEUMONIA_STORE'
              value: storeUrl
            }
            {
              name: 'PNEUMONIA_RETRAIN_EPOCHS'
              value: string(retrainEpochs)
            }
            {
              name: 'AZURE_STORAGE_ACCOUNT_NAME'
              value: storeAccount
            }
            {
              name: 'AZURE_CLIENT_ID'
              value: retrainClientId
            }
          ]
          resources: {
            cpu: 4
            memory: '8Gi'
          }
        }
      ]
    }
  }
}

resource drift 'Microsoft.App/jobs@2025-07-01' = {
  name: driftName
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${driftIdentityId}': {}
    }
  }
  properties: {
    environmentId: managedEnvironment.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      replicaTimeout: 600
      replicaRetryLimit: 1
      scheduleTriggerConfig: {
        cronExpression: '30 0 * * *' // UTC, as the days of the records
        parallelism: 1
        replicaCompletionCount: 1
      }
      registries: [
        {
          server: registryServer
          identity: driftIdentityId
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'drift'
          image: serveImage
          command: [
            'pneumonia'
          ]
          args: [
            'drift'
            '--json'
            '--days'
            '2'
          ]
          env: [
            {
              name: 'PNEUMONIA_STORE'
              value: storeUrl
            }
            {
              name: 'AZURE_STORAGE_ACCOUNT_NAME'
              value: storeAccount
            }
            {
              name: 'AZURE_CLIENT_ID'
              value: driftClientId
            }
          ]
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
        }
      ]
    }
  }
}

// What function_azure/launcher.py does, and nothing else: read the job, start it. The built-in roles can also stop it.
resource starter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(group, retrainName, 'job-starter')
  properties: {
    roleName: 'Container Apps job starter (${retrainName}, ${uniqueString(group)})'
    description: 'Reads a Container Apps job and starts it.'
    type: 'CustomRole'
    assignableScopes: [
      group
    ]
    permissions: [
      {
        actions: [
          'Microsoft.App/jobs/read'
          'Microsoft.App/jobs/start/action'
        ]
        notActions: []
      }
    ]
  }
}

resource start 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: retrain
  name: guid(retrain.id, starterId, starter.id)
  properties: {
    principalId: starterId
    principalType: 'ServicePrincipal'
    roleDefinitionId: starter.id
  }
}
